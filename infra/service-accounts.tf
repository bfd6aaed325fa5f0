# Who acts: an account for each function, one for each of the two pushes, one for the scheduler, one for builds. None has a key file.

resource "google_service_account" "function" {
  for_each     = local.functions
  account_id   = "${var.prefix}-${each.key}"
  display_name = "Chiplog ${each.key}"
  description  = each.value.what

  depends_on = [google_project_service.needed]
}

# One for each writer, so that the account that pushes to one cannot call the other.
resource "google_service_account" "push" {
  for_each     = local.writers
  account_id   = "${var.prefix}-push-${each.key}"
  display_name = "Chiplog push to ${each.value}"
  description  = "Pub/Sub calls the function ${each.value} with the identity of this account."

  depends_on = [google_project_service.needed]
}

resource "google_service_account" "scheduler" {
  account_id   = "${var.prefix}-scheduler"
  display_name = "Chiplog scheduler"
  description  = "Cloud Scheduler calls rollover and maintain with the identity of this account."

  depends_on = [google_project_service.needed]
}

resource "google_service_account" "build" {
  account_id   = "${var.prefix}-build"
  display_name = "Chiplog build"
  description  = "Cloud Build makes the functions' images with it, instead of the default account, which may do far more."

  depends_on = [google_project_service.needed]
}
