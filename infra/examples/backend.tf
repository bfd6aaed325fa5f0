# State in a bucket, shared by all who deploy. Copy this file to infra/backend.tf, then name the bucket:
#   terraform init -backend-config="bucket=YOUR-STATE-BUCKET"
# It lies here, and not in infra/, so that a plan can be made and checked without a bucket.

terraform {
  backend "gcs" {
    prefix = "chiplog"
  }
}
