# Numbers that Google does not count by itself, read from the line "Counted." that the collector logs once a minute (functions/metrics.ts).

locals {
  counters = {
    requests_stored = "Requests that were answered 200."
    events_accepted = "Events that Pub/Sub has acknowledged."
    events_rejected = "Events that were stored as rejected, with their reasons."
  }

  metric_names = { for counter, what in local.counters : counter => "${local.role_prefix}_${counter}" }
  # As PromQL names them; the sum over a distribution is the count.
  metric_sums = { for counter, name in local.metric_names : counter => "logging_googleapis_com:user_${name}_sum{monitored_resource=\"cloud_run_revision\"}" }
}

resource "google_logging_metric" "counter" {
  for_each    = local.counters
  name        = local.metric_names[each.key]
  description = each.value

  filter = join(" AND ", [
    "resource.type=\"cloud_run_revision\"",
    "resource.labels.service_name=\"${var.prefix}-collect\"",
    "jsonPayload.message=\"Counted.\"",
    "jsonPayload.data.${each.key}>0",
  ])

  # A value out of a log line makes a distribution; its sum is what counts.
  value_extractor = "EXTRACT(jsonPayload.data.${each.key})"
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "1"
  }
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 32
      growth_factor      = 2
      scale              = 1
    }
  }

  depends_on = [google_project_service.needed]
}
