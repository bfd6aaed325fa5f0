# Optional (variable domain): a global load balancer with a managed certificate in front of the collector. It adds a header with the
# sender's country, region and city, and nothing with an address. There is no port 80: a redirect would turn a POST into a GET.

locals {
  has_load_balancer = var.domain != null
  geo_header        = "x-chiplog-geo"
}

resource "google_compute_global_address" "collector" {
  count = local.has_load_balancer ? 1 : 0
  name  = "${var.prefix}-collector"

  depends_on = [google_project_service.needed]
}

resource "google_compute_region_network_endpoint_group" "collector" {
  count                 = local.has_load_balancer ? 1 : 0
  name                  = "${var.prefix}-collector"
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloudfunctions2_function.function["collect"].name
  }

  depends_on = [google_project_service.needed]
}

resource "google_compute_backend_service" "collector" {
  count                 = local.has_load_balancer ? 1 : 0
  name                  = "${var.prefix}-collector"
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = var.rate_limit == null ? null : google_compute_security_policy.collector[0].id

  # Overwrites what a client sent under this name.
  custom_request_headers = ["${local.geo_header}:{client_region},{client_region_subdivision},{client_city}"]

  backend {
    group = google_compute_region_network_endpoint_group.collector[0].id
  }

  # Its log would hold the addresses of all senders.
  log_config {
    enable = false
  }
}

resource "google_compute_url_map" "collector" {
  count           = local.has_load_balancer ? 1 : 0
  name            = "${var.prefix}-collector"
  default_service = google_compute_backend_service.collector[0].id
}

# A certificate cannot change its domain: a new one is made first, under another name.
resource "google_compute_managed_ssl_certificate" "collector" {
  count = local.has_load_balancer ? 1 : 0
  name  = "${var.prefix}-${substr(sha256(coalesce(var.domain, "none")), 0, 8)}"

  managed {
    domains = [var.domain]
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_project_service.needed]
}

resource "google_compute_ssl_policy" "collector" {
  count           = local.has_load_balancer ? 1 : 0
  name            = "${var.prefix}-collector"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"

  depends_on = [google_project_service.needed]
}

resource "google_compute_target_https_proxy" "collector" {
  count            = local.has_load_balancer ? 1 : 0
  name             = "${var.prefix}-collector"
  url_map          = google_compute_url_map.collector[0].id
  ssl_certificates = [google_compute_managed_ssl_certificate.collector[0].id]
  ssl_policy       = google_compute_ssl_policy.collector[0].id
}

resource "google_compute_global_forwarding_rule" "collector" {
  count                 = local.has_load_balancer ? 1 : 0
  name                  = "${var.prefix}-collector"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.collector[0].id
  port_range            = "443"
  target                = google_compute_target_https_proxy.collector[0].id
}

# Optional (variable rate_limit): Cloud Armor counts the requests of an address and answers 429 above the limit. SDKs wait and send again.
# A policy in use cannot be deleted, and switched off it would be deleted before the backend lets go of it. create_before_destroy turns that
# round. Its fixed name does not get in the way: only another name, type or project would replace it.
resource "google_compute_security_policy" "collector" {
  count       = var.rate_limit == null ? 0 : 1
  name        = "${var.prefix}-collector"
  description = "Requests a minute of one address."

  rule {
    description = "Above the limit: 429."
    priority    = 1000
    action      = "throttle"

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = var.rate_limit.requests_per_minute
        interval_sec = 60
      }
    }
  }

  # A policy must end with a rule for all.
  rule {
    description = "Everything else."
    priority    = 2147483647
    action      = "allow"

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_project_service.needed]
}
