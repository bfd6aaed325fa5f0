# Features that a team may switch on, each by one variable, all off. README.md says what each costs and brings.

variable "domain" {
  description = "Host name of the collector, such as collect.example.com. Makes a load balancer with a managed certificate and geo columns; the function is then reached through it only."
  type        = string
  default     = null
  validation {
    condition     = var.domain == null ? true : can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain)) && length(var.domain) <= 64
    error_message = "The domain is a host name in lower-case letters, such as collect.example.com, without https:// and of at most 64 characters."
  }
}

variable "rate_limit" {
  description = "Requests a minute that one address may send (Cloud Armor, needs domain). What is above it is answered 429."
  type        = object({ requests_per_minute = number })
  default     = null
  validation {
    condition     = var.rate_limit == null ? true : try(var.rate_limit.requests_per_minute >= 1 && var.rate_limit.requests_per_minute <= 1000000 && floor(var.rate_limit.requests_per_minute) == var.rate_limit.requests_per_minute, false)
    error_message = "The rate limit is a whole number of requests a minute from 1 to 1000000."
  }
  validation {
    condition     = var.rate_limit == null || var.domain != null
    error_message = "A rate limit is held by the load balancer, so it needs a domain."
  }
}

variable "cmek" {
  description = "Keys of your own (Cloud KMS) for topics, bucket and secret, each by its full name. Never for the dataset."
  type = object({
    topics  = optional(string)
    bucket  = optional(string)
    secrets = optional(string)
    dataset = optional(string)
  })
  default  = {}
  nullable = false
  validation {
    condition     = var.cmek.dataset == null
    error_message = "The dataset cannot have a key of its own: BigQuery refuses wildcard queries such as events_* over tables with one, and every query of this pipeline is one."
  }
  validation {
    condition     = alltrue([for key in values(var.cmek) : key == null ? true : can(regex("^projects/[^/]+/locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63}$", key))])
    error_message = "A key is named in full: projects/P/locations/L/keyRings/R/cryptoKeys/K, without a version."
  }
  validation {
    condition = var.cmek.bucket == null ? true : contains(
      var.location == "EU" ? ["eu", "europe"] : [lower(var.location)],
      try(split("/", var.cmek.bucket)[3], ""),
    )
    error_message = "The bucket's key lies where the bucket does: in the location, which for EU is the key location europe or eu, and for US us."
  }
  validation {
    condition     = var.cmek.secrets == null ? true : try(split("/", var.cmek.secrets)[3], "") == var.region
    error_message = "The secret is kept in the region, so its key lies in the region too."
  }
}

variable "log_sink" {
  description = "Whether the functions' logs are also kept as files, for longer than the 30 days of Cloud Logging."
  type        = object({ retention_days = optional(number, 365) })
  default     = null
  validation {
    condition     = var.log_sink == null ? true : try(var.log_sink.retention_days >= 1 && floor(var.log_sink.retention_days) == var.log_sink.retention_days, false)
    error_message = "Log files are kept for a whole number of days, at least 1."
  }
}

variable "budget" {
  description = "Monthly budget of the project, told by e-mail at 50, 90 and 100 %. It warns, it does not stop anything. Its currency is the billing account's; one that is named must be the same. Needs the right to make budgets on the billing account."
  type        = object({ billing_account = string, units = number, currency = optional(string) })
  default     = null
  validation {
    condition     = var.budget == null ? true : try(can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account)), false)
    error_message = "A billing account looks like 012345-6789AB-CDEF01."
  }
  validation {
    condition     = var.budget == null ? true : try(var.budget.units >= 1 && floor(var.budget.units) == var.budget.units && (var.budget.currency == null ? true : can(regex("^[A-Z]{3}$", var.budget.currency))), false)
    error_message = "A budget is a whole number of the billing account's currency, at least 1, and a currency that is named has three capitals such as EUR."
  }
}

variable "app_check" {
  description = "Firebase App Check: apps whose attestations Firebase shall accept, by app id; for web apps with their reCAPTCHA Enterprise site key. Tokens can then be issued; the collector does not ask for them yet."
  type = object({
    android_apps = optional(list(string), [])
    apple_apps   = optional(list(string), [])
    web_apps     = optional(map(string), {})
  })
  default = null
  validation {
    condition = var.app_check == null ? true : try(alltrue(flatten([
      [for app in var.app_check.android_apps : can(regex("^1:[0-9]+:android:[0-9a-f]+$", app))],
      [for app in var.app_check.apple_apps : can(regex("^1:[0-9]+:ios:[0-9a-f]+$", app))],
      [for app in keys(var.app_check.web_apps) : can(regex("^1:[0-9]+:web:[0-9a-f]+$", app))],
    ])), false)
    error_message = "A Firebase app id looks like 1:1234567890:android:321abc456def7890 and names its platform: android, ios or web, each in its own list."
  }
}
