# Clocks: the rollover every quarter of an hour, housekeeping every hour. Both may be called at any time and do only what is due.

locals {
  schedules = {
    rollover = {
      schedule = "*/15 * * * *"
      # As long as the function may run. Cloud Scheduler would otherwise give up after 3 minutes and call again while it works.
      attempt_deadline = "540s"
      retry_count      = 1
      min_backoff      = "60s"
    }
    maintain = {
      schedule         = "7 * * * *"
      attempt_deadline = "1800s"
      retry_count      = 1
      min_backoff      = "120s"
    }
  }
}

resource "google_cloud_scheduler_job" "schedule" {
  for_each         = local.schedules
  name             = "${var.prefix}-${each.key}"
  region           = var.region
  description      = local.functions[each.key].what
  schedule         = each.value.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = each.value.attempt_deadline

  # The default is not to try again.
  retry_config {
    retry_count          = each.value.retry_count
    min_backoff_duration = each.value.min_backoff
  }

  http_target {
    http_method = "POST"
    uri         = google_cloudfunctions2_function.function[each.key].service_config[0].uri
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode("{}")

    oidc_token {
      service_account_email = google_service_account.scheduler.email
      audience              = google_cloudfunctions2_function.function[each.key].service_config[0].uri
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.scheduler]
}
