# The Google services that the pipeline uses. They stay on when the pipeline is destroyed: something else may use them.

locals {
  apis = concat(
    [
      "artifactregistry.googleapis.com",
      "bigquery.googleapis.com",
      "bigquerystorage.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
      "cloudresourcemanager.googleapis.com",
      "cloudscheduler.googleapis.com",
      "iam.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
    ],
    var.domain == null ? [] : ["compute.googleapis.com"],
    var.budget == null ? [] : ["billingbudgets.googleapis.com"],
    var.app_check == null ? [] : ["firebaseappcheck.googleapis.com"],
    # Who attests for Firebase; Apple's is not Google's to switch on.
    length(try(var.app_check.android_apps, [])) == 0 ? [] : ["playintegrity.googleapis.com"],
    length(try(var.app_check.web_apps, {})) == 0 ? [] : ["recaptchaenterprise.googleapis.com"],
    alltrue([for key in values(var.cmek) : key == null]) ? [] : ["cloudkms.googleapis.com"],
  )
}

resource "google_project_service" "needed" {
  for_each           = toset(local.apis)
  project            = var.project
  service            = each.value
  disable_on_destroy = false
}
