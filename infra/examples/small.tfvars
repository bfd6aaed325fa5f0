# A small team: one app and one site, all in one region of the European Union, no instance waits for work.

project  = "acme-events"
region   = "europe-west1"
location = "EU"

time_zone           = "Europe/Berlin"
collector_is_public = true
alert_email         = "data-team@example.com"

sources = [
  { id = "acme-app", write_keys = ["k_app_8f31c2"], streams = ["events"], platform = "ANDROID" },
  { id = "acme-site", write_keys = ["k_site_5d20a7"], streams = ["events"], platform = "WEB", origins = ["https://www.example.com"] },
]
