# `terraform test` in infra/: plans both example teams and refuses bad variables, with Google's real provider and none of its services.
# The long list of traps is in test/infra, which needs no provider.

mock_provider "google" {}

variables {
  project             = "acme-events"
  region              = "europe-west1"
  location            = "EU"
  collector_is_public = true
  alert_email         = "data-team@example.com"
  sources             = [{ id = "acme-app", write_keys = ["k_app_8f31c2"], streams = ["events"] }]
}

run "every_stream_goes_to_both_writers_and_nothing_expires" {
  command = plan

  assert {
    condition     = length(google_pubsub_subscription.push) == 2 * length(local.streams)
    error_message = "A stream is pushed to a table and to a file."
  }
  assert {
    condition     = alltrue([for one in google_pubsub_subscription.push : one.expiration_policy[0].ttl == "" && one.ack_deadline_seconds == 60 && one.dead_letter_policy[0].max_delivery_attempts == 100])
    error_message = "A subscription expires, or gives up too early."
  }
  assert {
    condition     = alltrue([for one in google_pubsub_subscription.undeliverable : one.expiration_policy[0].ttl == "" && one.message_retention_duration == "2678400s"])
    error_message = "Undeliverable messages are kept for 31 days."
  }
  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.public_collector) == 1 && alltrue([for name, one in google_cloudfunctions2_function.function : one.service_config[0].max_instance_request_concurrency > 1])
    error_message = "The collector is public when it is said, and each instance takes several requests."
  }
}

run "nobody_is_public_when_it_is_not_said" {
  command = plan

  variables {
    collector_is_public = false
  }

  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.public_collector) == 0
    error_message = "allUsers without a word."
  }
}

run "a_domain_brings_the_load_balancer_and_closes_the_other_door" {
  command = plan

  variables {
    domain     = "collect.example.com"
    rate_limit = { requests_per_minute = 600 }
  }

  assert {
    condition     = google_cloudfunctions2_function.function["collect"].service_config[0].ingress_settings == "ALLOW_INTERNAL_AND_GCLB"
    error_message = "The run.app address would go around the load balancer."
  }
  assert {
    condition     = google_compute_backend_service.collector[0].load_balancing_scheme == "EXTERNAL_MANAGED"
    error_message = "Providers 7 and 8 have different defaults."
  }
}

run "a_prefix_with_capitals_is_refused" {
  command = plan
  variables {
    prefix = "Chiplog"
  }
  expect_failures = [var.prefix]
}

run "an_unknown_time_zone_is_refused" {
  command = plan
  variables {
    time_zone = "Europe/Atlantis"
  }
  expect_failures = [var.time_zone]
}

run "negative_retention_is_refused" {
  command = plan
  variables {
    retention_days = -7
  }
  expect_failures = [var.retention_days]
}

run "one_key_for_two_sources_is_refused" {
  command = plan
  variables {
    sources = [
      { id = "a", write_keys = ["k"], streams = ["events"] },
      { id = "b", write_keys = ["k"], streams = ["events"] },
    ]
  }
  expect_failures = [var.sources]
}

run "a_key_for_the_dataset_is_refused" {
  command = plan
  variables {
    cmek = { dataset = "projects/p/locations/europe/keyRings/r/cryptoKeys/k" }
  }
  expect_failures = [var.cmek]
}
