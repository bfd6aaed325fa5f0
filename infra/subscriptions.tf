# Every stream goes to both writers, each by a subscription of its own, so that each acknowledges for itself; what was refused a
# hundred times waits in a subscription that nobody pushes from.

locals {
  # The last part of a subscription's name, and the function that it pushes to.
  writers = {
    bigquery = "write-bigquery"
    storage  = "write-storage"
  }

  pushes = merge([for stream, settings in local.streams : {
    for writer, name in local.writers : "${stream}-to-${writer}" => {
      stream = stream
      writer = writer
      name   = "${var.prefix}-${settings.topic}-to-${writer}"
    }
  }]...)
}

resource "google_pubsub_subscription" "push" {
  for_each = local.pushes
  name     = each.value.name
  topic    = google_pubsub_topic.stream[each.value.stream].name

  # Also the time that a push may take: above the writers' own 50 s, so that their 503 comes before Pub/Sub gives up on them.
  ack_deadline_seconds       = 60
  message_retention_duration = "${var.retention_days * local.day_seconds}s"

  push_config {
    # The address on run.app: the only one that a service perimeter lets Pub/Sub push to.
    push_endpoint = google_cloudfunctions2_function.function[local.writers[each.value.writer]].service_config[0].uri

    oidc_token {
      service_account_email = google_service_account.push[each.value.writer].email
      audience              = google_cloudfunctions2_function.function[local.writers[each.value.writer]].service_config[0].uri
    }
  }

  # Without a policy a refused message comes back at once, again and again.
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  # With the back-off above 100 attempts are about sixteen hours; the usual 5 would empty an outage of minutes into the dead letters.
  dead_letter_policy {
    dead_letter_topic     = "projects/${var.project}/topics/${google_pubsub_topic.undeliverable[each.value.stream].name}"
    max_delivery_attempts = 100
  }

  # Never: by default 31 quiet days would delete the subscription, and messages published after that would be in no table.
  expiration_policy {
    ttl = ""
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_pubsub_subscription" "undeliverable" {
  for_each = local.streams
  name     = "${var.prefix}-${each.value.topic}-undeliverable"
  topic    = google_pubsub_topic.undeliverable[each.key].name

  # Pub/Sub's maximum: a person has a month to look.
  message_retention_duration = "${31 * local.day_seconds}s"
  ack_deadline_seconds       = 60

  expiration_policy {
    ttl = ""
  }

  lifecycle {
    prevent_destroy = true
  }
}
