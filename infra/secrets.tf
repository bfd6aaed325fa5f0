# The sources document. The collector reads it as a mounted file and reads it anew at least once a minute, so a changed document works
# without a new deployment. It holds write keys, which are identifiers; it is kept as a secret all the same, since nobody else needs to read them.

resource "google_secret_manager_secret" "sources" {
  secret_id = "${var.prefix}-sources"

  # Kept in the region and nowhere else.
  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.cmek.secrets == null ? [] : [var.cmek.secrets]
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  # An earlier document can be brought back for a week.
  version_destroy_ttl = "604800s"

  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed, google_kms_crypto_key_iam_member.secrets]
}

resource "google_secret_manager_secret_version" "sources" {
  secret      = google_secret_manager_secret.sources.id
  secret_data = jsonencode({ sources = [for source in var.sources : { for name, value in source : name => value if value != null }] })

  # The new one first: between the two there must be a latest version, or a starting collector would find none.
  lifecycle {
    create_before_destroy = true
  }
}
