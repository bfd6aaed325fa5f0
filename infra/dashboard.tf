# One dashboard that reads as the flow does, from left to right: collect, Pub/Sub, writers, tables; below each how much, how fast, what is wrong.

locals {
  dashboard_columns = ["Collect", "Pub/Sub", "Write", "Tables"]

  # A rate needs several samples in its window, and most are taken once a minute. Sizes are measured every half hour and known up to three
  # hours later, so the last of six hours is shown; what PromQL takes for a value of now is five minutes old at most.
  dashboard_tiles = [
    { column = 0, row = 0, title = "Requests a second by answer", query = "sum by (response_code_class) (rate(${local.requests["collect"]}}[5m]))" },
    { column = 0, row = 1, title = "Events accepted a minute", query = "sum(rate(${local.metric_sums["events_accepted"]}[5m])) * 60" },
    { column = 0, row = 2, title = "Events rejected a minute", query = "sum(rate(${local.metric_sums["events_rejected"]}[5m])) * 60" },
    { column = 0, row = 3, title = "Instances of the collector", query = "sum(max_over_time(run_googleapis_com:container_instance_count{monitored_resource=\"cloud_run_revision\",service_name=\"${var.prefix}-collect\"}[5m]))" },

    { column = 1, row = 0, title = "Messages published a second by topic", query = "sum by (topic_id) (rate(pubsub_googleapis_com:topic_send_message_operation_count{monitored_resource=\"pubsub_topic\",topic_id=~\"${var.prefix}-.*\"}[5m]))" },
    { column = 1, row = 1, title = "Seconds that the oldest message waits", query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\",subscription_id=~\"${var.prefix}-.*-to-.*\"})" },
    { column = 1, row = 2, title = "Messages that wait", query = "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=~\"${var.prefix}-.*-to-.*\"})" },
    { column = 1, row = 3, title = "Undeliverable messages", query = "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=~\"${var.prefix}-.*-undeliverable\"})" },

    { column = 2, row = 0, title = "Pushes a second by writer and answer", query = "sum by (service_name, response_code_class) (rate(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=~\"${var.prefix}-write-.*\"}[5m]))" },
    { column = 2, row = 1, title = "Milliseconds of a push, 99 of 100 below", query = "histogram_quantile(0.99, sum by (service_name, le) (rate(run_googleapis_com:request_latencies_bucket{monitored_resource=\"cloud_run_revision\",service_name=~\"${var.prefix}-write-.*\"}[5m])))" },
    { column = 2, row = 2, title = "Instances of the writers", query = "sum by (service_name) (max_over_time(run_googleapis_com:container_instance_count{monitored_resource=\"cloud_run_revision\",service_name=~\"${var.prefix}-write-.*\"}[5m]))" },
    { column = 2, row = 3, title = "Bytes of raw files", query = "sum(last_over_time(storage_googleapis_com:storage_v2_total_bytes{monitored_resource=\"gcs_bucket\",bucket_name=\"${var.project}-${var.prefix}-raw\"}[6h]))" },

    # The write API counts for the whole project; the dataset's own count is hours late.
    { column = 3, row = 0, title = "Rows written a second, in all datasets", query = "sum(rate(bigquerystorage_googleapis_com:write_uploaded_row_count{monitored_resource=\"bigquery_project\"}[5m]))" },
    { column = 3, row = 1, title = "Calls of the rollover in an hour by answer", query = "sum by (response_code_class) (increase(${local.requests["rollover"]}}[1h]))" },
    { column = 3, row = 2, title = "Calls of maintain in an hour by answer", query = "sum by (response_code_class) (increase(${local.requests["maintain"]}}[1h]))" },
    { column = 3, row = 3, title = "Bytes in the dataset", query = "sum(last_over_time(bigquery_googleapis_com:storage_stored_bytes{monitored_resource=\"bigquery_dataset\",dataset_id=\"${var.dataset}\"}[6h]))" },
  ]
}

# Cloud Monitoring leaves out what has its default, such as a position of 0, and the provider compares text with text: with a single 0 or ""
# in it every plan would want to write the dashboard again.
resource "google_monitoring_dashboard" "flow" {
  dashboard_json = jsonencode({
    displayName = "Chiplog (${var.prefix})"
    mosaicLayout = {
      columns = 48
      tiles = concat(
        [for index, name in local.dashboard_columns : merge(
          { for key, at in { xPos = index * 12, width = 12, height = 4 } : key => at if at != 0 },
          { widget = {
            title = name
            text  = { content = index + 1 < length(local.dashboard_columns) ? "→ ${local.dashboard_columns[index + 1]}" : "queried by everybody", format = "MARKDOWN" }
          } },
        )],
        [for tile in local.dashboard_tiles : merge(
          { for key, at in { xPos = tile.column * 12, yPos = 4 + tile.row * 12, width = 12, height = 12 } : key => at if at != 0 },
          { widget = {
            title = tile.title
            xyChart = {
              dataSets = [{
                plotType        = "LINE"
                targetAxis      = "Y1"
                timeSeriesQuery = { prometheusQuery = tile.query }
              }]
              yAxis = { scale = "LINEAR" }
            }
          } },
        )],
      )
    }
  })

  depends_on = [google_project_service.needed, google_logging_metric.counter]
}
