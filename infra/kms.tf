# Keys of your own: Google's service accounts must be allowed to use them before anything is encrypted with them. The keys are yours and
# usually lie in another project; Terraform neither makes nor deletes them.
#
# A grant once given stays. What is encrypted can be read only while Google's account may use the key it was encrypted with, and a topic
# takes another key without being replaced: a changed or emptied `cmek` would lock up every message that waits and every file that is there.
# A key is changed by a new version of it, which its grants cover, never by another name.

resource "google_kms_crypto_key_iam_member" "topics" {
  count         = var.cmek.topics == null ? 0 : 1
  crypto_key_id = var.cmek.topics
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.pubsub_agent

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "bucket" {
  count         = var.cmek.bucket == null ? 0 : 1
  crypto_key_id = var.cmek.bucket
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.storage_agent

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "secrets" {
  count         = var.cmek.secrets == null ? 0 : 1
  crypto_key_id = var.cmek.secrets
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.secret_manager_agent

  lifecycle {
    prevent_destroy = true
  }
}
