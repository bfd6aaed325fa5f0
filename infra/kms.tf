# Keys of your own: Google's service accounts must be allowed to use them before anything is encrypted with them. The keys are yours and
# usually lie in another project; Terraform neither makes nor deletes them.

resource "google_kms_crypto_key_iam_member" "topics" {
  count         = var.cmek.topics == null ? 0 : 1
  crypto_key_id = var.cmek.topics
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.pubsub_agent
}

resource "google_kms_crypto_key_iam_member" "bucket" {
  count         = var.cmek.bucket == null ? 0 : 1
  crypto_key_id = var.cmek.bucket
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.storage_agent
}

resource "google_kms_crypto_key_iam_member" "secrets" {
  count         = var.cmek.secrets == null ? 0 : 1
  crypto_key_id = var.cmek.secrets
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.secret_manager_agent
}
