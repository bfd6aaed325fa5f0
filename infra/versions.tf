# Which Terraform and which provider. Nothing but hashicorp/google is needed: no beta provider, no modules, no data source that asks Google
# while planning, so that a plan of a fresh project can be made and checked on any machine.

terraform {
  # 1.9: a validation may compare one variable with another.
  required_version = ">= 1.9.0, < 2.0.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.0.0, < 9.0.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region

  # Budgets are asked of a billing account, and App Check answers nobody without a quota: a person's own login then has to say which project
  # pays for the call. Whoever says so needs roles/serviceusage.serviceUsageConsumer on it, also for a plan.
  user_project_override = var.budget != null || var.app_check != null
  billing_project       = var.project

  default_labels = {
    app        = "chiplog"
    deployment = var.prefix
  }
}
