# A big team: its own domain with a limit for each address, keys of its own, warm instances, logs for a year, a budget.

project  = "acme-events-prod"
region   = "us-central1"
location = "US"
prefix   = "chiplog-prod"
dataset  = "chiplog_prod"

time_zone           = "America/Los_Angeles"
retention_days      = 14
soft_delete_days    = 30
collector_is_public = true
alert_email         = "data-oncall@example.com"

collector_instances = { min = 3, max = 200 }
writer_instances    = { min = 1, max = 100 }

domain     = "collect.example.com"
rate_limit = { requests_per_minute = 600 }

cmek = {
  topics  = "projects/acme-keys/locations/us-central1/keyRings/chiplog/cryptoKeys/topics"
  bucket  = "projects/acme-keys/locations/us/keyRings/chiplog/cryptoKeys/files"
  secrets = "projects/acme-keys/locations/us-central1/keyRings/chiplog/cryptoKeys/secrets"
}

log_sink = { retention_days = 365 }
budget   = { billing_account = "012345-6789AB-CDEF01", units = 20000 }

app_check = {
  android_apps = ["1:1234567890:android:321abc456def7890"]
  apple_apps   = ["1:1234567890:ios:0123abcd4567ef89"]
  web_apps     = { "1:1234567890:web:89ab01cd23ef4567" = "6LcSiteKeyOfReCaptchaEnterprise" }
}

sources = [
  # Two keys while the app's releases change over.
  { id = "shop-android", write_keys = ["k_and_2f9c11", "k_and_77e0b4"], streams = ["events"], platform = "ANDROID" },
  { id = "shop-ios", write_keys = ["k_ios_91d3aa"], streams = ["events"], platform = "IOS" },
  { id = "shop-web", write_keys = ["k_web_0c55de"], streams = ["events"], platform = "WEB", origins = ["https://shop.example.com", "https://m.example.com"], events_per_second_max = 2000, analytics_storage = "Unset" },
  { id = "ranking-model", write_keys = ["k_rank_64f2e8"], streams = ["inference"], platform = "SERVER" },
]
