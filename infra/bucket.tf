# Cloud Storage: the archive of what was sent, and the bundles that the functions are made of.

resource "google_storage_bucket" "raw" {
  name     = "${var.project}-${var.prefix}-raw"
  location = upper(var.location)

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  # Files in it are a reason not to delete it.
  force_destroy = false

  # A joined file's parts, or a file that somebody deleted by mistake, can be brought back for this long.
  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * local.day_seconds
  }

  # Objects are made once and never overwritten, and soft delete covers deletion: old versions would only keep every joined part for ever.
  versioning {
    enabled = false
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }

  dynamic "lifecycle_rule" {
    for_each = { for stream, settings in local.streams : stream => settings.raw_retention_days if settings.raw_retention_days != null }
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = ["raw/${lifecycle_rule.key}/"]
      }
    }
  }

  dynamic "encryption" {
    for_each = var.cmek.bucket == null ? [] : [var.cmek.bucket]
    content {
      default_kms_key_name = encryption.value
    }
  }

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed, google_kms_crypto_key_iam_member.bucket]
}

# Code, no data. Its versions keep the bundles of earlier releases for a month after Terraform has replaced them.
resource "google_storage_bucket" "code" {
  name     = "${var.project}-${var.prefix}-code"
  location = upper(var.location)

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * local.day_seconds
  }

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
      with_state                 = "ARCHIVED"
    }
  }

  depends_on = [google_project_service.needed]
}

# The name holds the content's hash: the same bundle is the same object, another one makes a new revision of its function.
resource "google_storage_bucket_object" "bundle" {
  for_each = local.functions
  bucket   = google_storage_bucket.code.name
  name     = "${each.key}-${local.bundle_hashes[each.key]}.zip"
  source   = local.bundles[each.key]

  # The new bundle is there before the old one goes, so a function always has one that it could be built from.
  lifecycle {
    create_before_destroy = true
  }
}

locals {
  bundles       = { for name in keys(local.functions) : name => "${path.module}/../dist/${name}.zip" }
  bundle_hashes = { for name, file in local.bundles : name => fileexists(file) ? substr(filesha256(file), 0, 16) : "not-built" }
}

# A warning and not an error, so that a plan can be read before anything is built; an apply would stop at the missing file.
check "bundles_are_built" {
  assert {
    condition     = !contains(values(local.bundle_hashes), "not-built")
    error_message = "dist/ does not hold the bundle of every function. Run `npm run build` before `terraform apply`."
  }
}
