# The same for topics and subscriptions, where they were not deleted after the destroy. Copy it beside take-back.tf.

import {
  for_each = local.streams
  to       = google_pubsub_topic.stream[each.key]
  id       = "projects/${var.project}/topics/${var.prefix}-${each.value.topic}"
}

import {
  for_each = local.streams
  to       = google_pubsub_topic.undeliverable[each.key]
  id       = "projects/${var.project}/topics/${var.prefix}-${each.value.topic}-undeliverable"
}

import {
  for_each = local.pushes
  to       = google_pubsub_subscription.push[each.key]
  id       = "projects/${var.project}/subscriptions/${each.value.name}"
}

import {
  for_each = local.streams
  to       = google_pubsub_subscription.undeliverable[each.key]
  id       = "projects/${var.project}/subscriptions/${var.prefix}-${each.value.topic}-undeliverable"
}
