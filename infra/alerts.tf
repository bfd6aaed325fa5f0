# What wakes somebody. The key of an alert is its section in docs/operating.md, which says what it means, what to look at, what to do.

resource "google_monitoring_notification_channel" "email" {
  display_name = "Chiplog ${var.prefix}"
  type         = "email"
  labels       = { email_address = var.alert_email }

  depends_on = [google_project_service.needed]
}

locals {
  quoted_pushes        = join(",", [for push in local.pushes : "\"${push.name}\""])
  quoted_undeliverable = join(",", [for stream in local.streams : "\"${var.prefix}-${stream.topic}-undeliverable\""])

  # A number of Google's above a bound.
  threshold_alerts = {
    messages-wait = {
      title     = "Messages wait for a writer"
      means     = "A message has waited for ten minutes: a writer refuses, or is too slow."
      severity  = "ERROR"
      filter    = "resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.labels.subscription_id=one_of(${local.quoted_pushes})"
      threshold = 600
      duration  = "300s"
    }
    undeliverable-messages = {
      title     = "Messages could not be delivered"
      means     = "A message was refused a hundred times and waits for a person, for 31 days."
      severity  = "ERROR"
      filter    = "resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.labels.subscription_id=one_of(${local.quoted_undeliverable})"
      threshold = 0
      duration  = "60s"
    }
  }

  requests = { for name in keys(local.functions) : name => "run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=\"${var.prefix}-${name}\"" }

  # Shares, and what does not happen. For the latter at least three calls lie in the window, since an increase takes two samples; and it
  # has to stay so for longer than the first two calls take to be seen, or each first day would begin with an alarm.
  query_alerts = {
    events-rejected = {
      title    = "Many events are rejected"
      means    = "More than 5 % of the events of half an hour, and more than 20, are wrong: a client was released with a mistake, or somebody sends rubbish."
      severity = "WARNING"
      duration = "300s"
      query    = "sum(increase(${local.metric_sums["events_rejected"]}[30m])) / (sum(increase(${local.metric_sums["events_rejected"]}[30m])) + (sum(increase(${local.metric_sums["events_accepted"]}[30m])) or vector(0))) > 0.05 and sum(increase(${local.metric_sums["events_rejected"]}[30m])) > 20"
    }
    collector-errors = {
      title    = "The collector answers with errors"
      means    = "More than 1 % of the requests get 5xx. Clients keep their events and send again."
      severity = "CRITICAL"
      duration = "300s"
      query    = "sum(rate(${local.requests["collect"]},response_code_class=\"5xx\"}[5m])) / sum(rate(${local.requests["collect"]}}[5m])) > 0.01"
    }
    collector-full = {
      title    = "The collector answers 429"
      means    = "All instances are busy, or a source sends more than it may. Clients send again later."
      severity = "WARNING"
      duration = "300s"
      query    = "sum(rate(${local.requests["collect"]},response_code=\"429\"}[5m])) > 0"
    }
    rollover-absent = {
      title    = "The rollover does not run"
      means    = "No call has succeeded for an hour; there are four."
      severity = "ERROR"
      duration = "2400s"
      query    = "(sum(increase(${local.requests["rollover"]},response_code_class=\"2xx\"}[1h])) or vector(0)) < 1"
    }
    maintain-absent = {
      title    = "Housekeeping does not run"
      means    = "No call has succeeded for three hours. The tables of the day after tomorrow are there, those of later days are not."
      severity = "ERROR"
      duration = "7800s"
      query    = "(sum(increase(${local.requests["maintain"]},response_code_class=\"2xx\"}[3h])) or vector(0)) < 1"
    }
  }

  # A line that a function logs. The words are the code's; a test looks for them there.
  log_alerts = {
    day-provisional = {
      title    = "The counts of a day do not agree"
      means    = "A day was folded and its rows were counted again, and the two differ. Nothing is dropped; the day stays provisional."
      severity = "ERROR"
      function = "rollover"
      messages = ["The counts of a day do not agree; nothing is dropped", "A closed table does not have the rows that were folded; it is kept", "A table has rows without an event date; it is kept"]
    }
    day-failed = {
      title    = "A day could not be made"
      means    = "The query job of a day failed. Its tables are as they were, and the next call tries again."
      severity = "ERROR"
      function = "rollover"
      messages = ["The rollover of a day failed; its tables are as they were", "A finished day could not be announced"]
    }
    intraday-too-old = {
      title    = "An intraday table is older than it should be"
      means    = "A day closed hours ago and its daily table is still not there."
      severity = "ERROR"
      function = "rollover"
      messages = ["A closed intraday table is not folded, hours after it could be"]
    }
    sources-unusable = {
      title    = "The sources document cannot be used"
      means    = "The collector serves with the last good document; an instance without one answers 503."
      severity = "CRITICAL"
      function = "collect"
      messages = ["The sources document cannot be used; the last good one serves."]
    }
    columns-missing = {
      title    = "Tables lack columns that the code writes"
      means    = "A writer is newer than its tables. Rows wait in Pub/Sub until the columns are there."
      severity = "ERROR"
      function = "write-bigquery"
      messages = ["columns_missing"]
    }
    spill = {
      title    = "Spilled messages are not drained"
      means    = "Messages that Pub/Sub could not take have lain in the bucket for more than fifteen minutes; they are in no table."
      severity = "ERROR"
      function = "maintain"
      messages = ["Spilled messages are not drained"]
    }
    schema-conflict = {
      title    = "A table contradicts the schema, or housekeeping failed"
      means    = "A table has a column of another type than the schema says, the reporting time zone was changed, or a step of housekeeping failed."
      severity = "ERROR"
      function = "maintain"
      messages = ["a table contradicts the schema", "maintenance refused", "maintenance failed", "making tables failed", "migrating tables failed", "replacing table functions failed", "compacting raw files failed", "looking at spilled messages failed"]
    }
  }
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each              = local.threshold_alerts
  display_name          = "${each.value.title} (${var.prefix})"
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = each.value.duration

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.means} What to do: docs/operating.md#${each.key}"
  }

  depends_on = [google_project_service.needed]
}

resource "google_monitoring_alert_policy" "query" {
  for_each              = local.query_alerts
  display_name          = "${each.value.title} (${var.prefix})"
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = each.value.duration
      evaluation_interval = "60s"
      # A log-based metric is known to Monitoring only minutes after it was made, which would fail the first apply.
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.means} What to do: docs/operating.md#${each.key}"
  }

  depends_on = [google_project_service.needed, google_logging_metric.counter]
}

resource "google_monitoring_alert_policy" "log" {
  for_each              = local.log_alerts
  display_name          = "${each.value.title} (${var.prefix})"
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter = join(" AND ", [
        "resource.type=\"cloud_run_revision\"",
        "resource.labels.service_name=\"${var.prefix}-${each.value.function}\"",
        "jsonPayload.message=(${join(" OR ", [for message in each.value.messages : "\"${message}\""])})",
      ])
    }
  }

  # An alert on a log line must say how often it may write.
  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.means} What to do: docs/operating.md#${each.key}"
  }

  depends_on = [google_project_service.needed]
}
