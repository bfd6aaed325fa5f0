# The six functions. The table says what differs; the one resource below says what is the same for all.

locals {
  functions = {
    collect = {
      what        = "Takes events from clients, checks them, answers 200 when Pub/Sub has them."
      entry_point = "collect"
      # One core: Node runs on one. The knee of the bench is far above 100 requests at once; bodies in flight are bounded by bytes.
      cpu         = "1"
      memory      = "1Gi"
      concurrency = 100
      # Body 20 s, publish 5 s twice, and some.
      timeout_seconds = 60
      instances       = var.collector_instances
      # Behind the load balancer its run.app address answers nobody else, so that its limits cannot be walked around.
      ingress       = var.domain == null ? "ALLOW_ALL" : "ALLOW_INTERNAL_AND_GCLB"
      reads_sources = true
    }

    write-bigquery = {
      what        = "Writes events to their tables."
      entry_point = "writeBigquery"
      cpu         = "1"
      # A message is at most 8 MiB of events; as rows and as objects about four times that.
      memory          = "1Gi"
      concurrency     = 20
      timeout_seconds = 60
      instances       = var.writer_instances
      ingress         = "ALLOW_INTERNAL_ONLY"
      reads_sources   = false
    }

    write-storage = {
      what        = "Keeps what was sent as files."
      entry_point = "writeStorage"
      cpu         = "1"
      # A push body of at most 14 MB and its bytes, and never inflated.
      memory          = "512Mi"
      concurrency     = 40
      timeout_seconds = 60
      instances       = var.writer_instances
      ingress         = "ALLOW_INTERNAL_ONLY"
      reads_sources   = false
    }

    rollover = {
      what            = "Makes the daily tables."
      entry_point     = "rollover"
      cpu             = "1"
      memory          = "512Mi"
      concurrency     = 4
      timeout_seconds = 540
      instances       = { min = 0, max = 2 }
      # A person may ask for a date; IAM decides who.
      ingress       = "ALLOW_ALL"
      reads_sources = false
    }

    maintain = {
      what        = "Makes the tables of tomorrow, adds columns, joins raw files."
      entry_point = "maintain"
      cpu         = "1"
      memory      = "512Mi"
      # One instance: two calls at once share one visit.
      concurrency     = 4
      timeout_seconds = 1800
      instances       = { min = 0, max = 1 }
      ingress         = "ALLOW_INTERNAL_ONLY"
      reads_sources   = false
    }

    replay = {
      what            = "Sends stored events again."
      entry_point     = "replay"
      cpu             = "1"
      memory          = "1Gi"
      concurrency     = 2
      timeout_seconds = 3600
      instances       = { min = 0, max = 2 }
      ingress         = "ALLOW_ALL"
      reads_sources   = false
    }
  }
}

resource "google_cloudfunctions2_function" "function" {
  for_each    = local.functions
  name        = "${var.prefix}-${each.key}"
  location    = var.region
  description = each.value.what

  build_config {
    runtime           = "nodejs24"
    entry_point       = each.value.entry_point
    docker_repository = google_artifact_registry_repository.images.id
    service_account   = google_service_account.build.id

    source {
      storage_source {
        bucket = google_storage_bucket.code.name
        object = google_storage_bucket_object.bundle[each.key].name
      }
    }
  }

  service_config {
    service_account_email = google_service_account.function[each.key].email
    environment_variables = { for name, value in local.environment[each.key] : name => value if value != "" }

    available_cpu    = each.value.cpu
    available_memory = each.value.memory
    # The default is 1: an instance for each request at once. More than 1 needs a whole CPU.
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = each.value.instances.min
    max_instance_count               = each.value.instances.max
    timeout_seconds                  = each.value.timeout_seconds

    ingress_settings = each.value.ingress

    dynamic "secret_volumes" {
      for_each = each.value.reads_sources ? [google_secret_manager_secret.sources.secret_id] : []
      content {
        mount_path = local.sources_folder
        project_id = var.project
        secret     = secret_volumes.value

        # Read anew at every look, so that a changed document needs no deployment.
        versions {
          version = "latest"
          path    = local.sources_file
        }
      }
    }
  }

  # A function that starts before it may do its work fails its deployment, or answers 503 until somebody looks.
  depends_on = [
    google_secret_manager_secret_version.sources,
    google_secret_manager_secret_iam_member.reader,
    google_pubsub_topic_iam_member.publisher,
    google_bigquery_dataset_access.function,
    google_storage_bucket_iam_member.function,
    google_project_iam_member.jobs,
    terraform_data.grants_have_settled,
  ]
}

# Images of the functions. Without a repository of our own Google makes one that nobody empties.
resource "google_artifact_registry_repository" "images" {
  repository_id = "${var.prefix}-functions"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of the Chiplog functions."

  cleanup_policies {
    id     = "keep-the-newest"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }
  cleanup_policies {
    id     = "delete-after-a-month"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.needed]
}

# Grants and newly enabled services need a minute before Cloud Build sees them; the first apply waits for it, later ones do not.
resource "terraform_data" "grants_have_settled" {
  input = google_service_account.build.account_id

  provisioner "local-exec" {
    command = "sleep 60"
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_source,
    google_storage_bucket_iam_member.build,
  ]
}
