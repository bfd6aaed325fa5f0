# Topics: one a stream, one a stream for what could not be delivered, and one that announces finished days.

resource "google_pubsub_topic" "stream" {
  for_each                   = local.streams
  name                       = "${var.prefix}-${each.value.topic}"
  message_retention_duration = "${var.retention_days * local.day_seconds}s"
  kms_key_name               = var.cmek.topics

  # Without it a message may be stored in whichever region it was published from.
  message_storage_policy {
    allowed_persistence_regions = local.message_regions
  }

  # A topic holds the messages of days; a change that would replace one must fail while planning.
  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed, google_kms_crypto_key_iam_member.topics]
}

resource "google_pubsub_topic" "undeliverable" {
  for_each                   = local.streams
  name                       = "${var.prefix}-${each.value.topic}-undeliverable"
  message_retention_duration = "${var.retention_days * local.day_seconds}s"
  kms_key_name               = var.cmek.topics

  message_storage_policy {
    allowed_persistence_regions = local.message_regions
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed, google_kms_crypto_key_iam_member.topics]
}

# day.finalized and day.changed, for whoever wants to start something when a day is ready. It has no subscription of ours: a team
# makes its own, and the topic's retention lets a new one seek back.
resource "google_pubsub_topic" "days" {
  name                       = "${var.prefix}-days"
  message_retention_duration = "${var.retention_days * local.day_seconds}s"
  kms_key_name               = var.cmek.topics

  message_storage_policy {
    allowed_persistence_regions = local.message_regions
  }

  depends_on = [google_project_service.needed, google_kms_crypto_key_iam_member.topics]
}
