# What a person needs after the apply.

locals {
  collector_url = local.has_load_balancer ? "https://${var.domain}" : google_cloudfunctions2_function.function["collect"].service_config[0].uri
  first_source  = try([for source in var.sources : source if source.enabled && contains(source.streams, "events")][0], var.sources[0])
}

output "collector_url" {
  description = "Where clients send: append /v1/events, or point a GA4 client at it."
  value       = local.collector_url
}

output "first_event" {
  description = "A line for the terminal that sends one event; the answer is {\"accepted\":1,\"rejected\":[]}."
  # It holds a write key, which a plan would print where everybody reads it. `terraform output -raw first_event` shows it.
  sensitive = true
  value     = "curl -s ${local.collector_url}/v1/events${var.collector_is_public ? "" : " -H \"X-Serverless-Authorization: Bearer $(gcloud auth print-identity-token)\""} -H 'Authorization: Bearer ${local.first_source.write_keys[0]}' -H 'Content-Type: application/json' -d '{\"user_pseudo_id\":\"me\",\"events\":[{\"event_id\":\"'$(uuidgen | tr A-Z a-z)'\",\"event_name\":\"hello\",\"event_timestamp\":'$(date +%s)'000000}]}'"
}

output "first_query" {
  description = "A line for the terminal that reads today's events a second later."
  value       = "bq query --project_id=${var.project} --location=${var.location} --use_legacy_sql=false 'SELECT event_name, COUNT(*) AS events FROM `${var.project}.${var.dataset}.events_*` GROUP BY event_name'"
}

output "first_tables" {
  description = "A line for the terminal that makes the tables of today and tomorrow at once, instead of at seven minutes past the hour."
  value       = "gcloud scheduler jobs run ${google_cloud_scheduler_job.schedule["maintain"].name} --location=${var.region} --project=${var.project}"
}

output "dataset" {
  description = "The BigQuery dataset."
  value       = "${var.project}.${google_bigquery_dataset.chiplog.dataset_id}"
}

output "raw_files" {
  description = "Where the files are that hold what was sent."
  value       = "gs://${google_storage_bucket.raw.name}/raw/"
}

output "sources_secret" {
  description = "The secret with the sources document."
  value       = google_secret_manager_secret.sources.secret_id
}

output "address" {
  description = "Address of the load balancer, for the A record of the domain; none without a domain."
  value       = local.has_load_balancer ? google_compute_global_address.collector[0].address : null
}

output "functions" {
  description = "Address and service account of each function."
  value = { for name, function in google_cloudfunctions2_function.function : name => {
    uri     = function.service_config[0].uri
    account = google_service_account.function[name].email
  } }
}

output "subscriptions" {
  description = "Names of the subscriptions: those that push, and those where undeliverable messages wait."
  value = {
    push          = sort(values(google_pubsub_subscription.push)[*].name)
    undeliverable = sort(values(google_pubsub_subscription.undeliverable)[*].name)
  }
}

output "dashboard" {
  description = "The dashboards of the project in the console; this one is called Chiplog and the prefix."
  value       = "https://console.cloud.google.com/monitoring/dashboards?project=${var.project}"
}
