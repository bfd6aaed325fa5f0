# What a team decides. Each is checked before anything is created; the sentence of a refusal says what is expected.
# Optional features are in variables-optional.tf, all of them off.

variable "project" {
  description = "Id of the Google Cloud project that holds everything."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "A project id has 6 to 30 lower-case letters, digits and hyphens, starts with a letter and does not end with a hyphen; this is the id, not the name or the number."
  }
}

variable "region" {
  description = "Region of the functions, their images and the scheduler, such as europe-west1."
  type        = string
  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]{1,2}$", var.region))
    error_message = "A region looks like europe-west1 or us-central1; a zone such as europe-west1-b is not one."
  }
}

variable "location" {
  description = "Where the data lie, tables and files alike: EU, US, or the region itself. It cannot be changed later."
  type        = string
  validation {
    condition = anytrue([
      var.location == var.region,
      var.location == "US" && startswith(var.region, "us-"),
      var.location == "EU" && contains(local.eu_regions, var.region),
    ])
    error_message = "The location is EU (with a region inside the European Union), US (with a region that starts with us-), or the same as the region, so that no event leaves it on its way."
  }
}

variable "prefix" {
  description = "First part of the name of everything, so that one project can hold several deployments."
  type        = string
  default     = "chiplog"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,13}[a-z0-9])?$", var.prefix)) && !can(regex("^goog|google", var.prefix))
    error_message = "The prefix has 1 to 15 lower-case letters, digits and hyphens, starts with a letter, does not end with a hyphen, does not start with goog and does not hold google; account ids, which hold it, have at most 30 characters."
  }
}

variable "dataset" {
  description = "Name of the BigQuery dataset."
  type        = string
  default     = "chiplog"
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.dataset)) && length(var.dataset) <= 1024
    error_message = "A dataset's name has letters, digits and underscores only."
  }
}

variable "time_zone" {
  description = "Reporting time zone: whose midnight ends a day. Fixed when the dataset is made: a later change is refused."
  type        = string
  default     = "UTC"
  nullable    = false
  validation {
    condition     = contains(keys(local.time_zones), var.time_zone)
    error_message = "The time zone is a name of the IANA list with its capitals, such as Europe/Berlin or UTC; abbreviations and offsets are not."
  }
}

variable "collector_is_public" {
  description = "Whether anybody may call the collector, as phones and browsers must. If false, callers need roles/run.invoker on it. No default: somebody has to say it."
  type        = bool
  nullable    = false
}

variable "sources" {
  description = "Who may send: an entry for each app, site or model server (schemas/sources.schema.json). A write key is an identifier that can be revoked, not a secret."
  type = list(object({
    id                    = string
    write_keys            = list(string)
    streams               = list(string)
    enabled               = optional(bool, true)
    platform              = optional(string)
    origins               = optional(list(string))
    events_per_second_max = optional(number)
    analytics_storage     = optional(string)
  }))
  nullable = false

  validation {
    condition     = length(var.sources) > 0
    error_message = "There is no source, so nobody could send anything; name at least one."
  }
  validation {
    condition     = alltrue([for source in var.sources : can(regex("^[a-z][a-z0-9_-]{0,62}$", source.id))])
    error_message = "A source's id has lower-case letters, digits, _ and -, starts with a letter and has at most 63."
  }
  validation {
    condition     = length(distinct(var.sources[*].id)) == length(var.sources)
    error_message = "Two sources have the same id; rows could not tell who sent them."
  }
  validation {
    condition     = alltrue([for source in var.sources : try(length(source.write_keys) >= 1 && length(source.write_keys) <= 20, false)])
    error_message = "Each source has 1 to 20 write keys: one, and a second while keys are changed."
  }
  validation {
    condition     = alltrue([for key in flatten([for source in var.sources : coalesce(source.write_keys, [])]) : can(regex("^[!-~]{1,256}$", key))])
    error_message = "A write key has 1 to 256 visible ASCII characters without spaces."
  }
  validation {
    condition     = length(distinct(flatten([for source in var.sources : coalesce(source.write_keys, [])]))) == length(flatten([for source in var.sources : coalesce(source.write_keys, [])]))
    error_message = "A write key occurs twice; each key belongs to one source, or nobody could tell who sent an event."
  }
  validation {
    condition     = alltrue([for source in var.sources : try(length(source.streams) > 0 && length(setsubtract(source.streams, [for name, stream in local.streams : name if can(stream.route)])) == 0, false)])
    error_message = "A source names at least one stream, and only streams that schemas/streams.json gives a route."
  }
  validation {
    condition     = alltrue([for source in var.sources : length(distinct(coalesce(source.streams, []))) == length(coalesce(source.streams, [])) && length(distinct(coalesce(source.origins, []))) == length(coalesce(source.origins, []))])
    error_message = "A source names a stream or an origin twice; the collector would refuse the whole document."
  }
  validation {
    condition     = alltrue([for source in var.sources : source.platform == null ? true : contains(["ANDROID", "IOS", "WEB", "SERVER"], source.platform)])
    error_message = "The platform of a source is ANDROID, IOS, WEB or SERVER, or is left out."
  }
  validation {
    condition = alltrue(flatten([for source in var.sources : [for origin in coalesce(source.origins, []) :
      can(regex("^(\\*|https?://[^/\\s?#@]{1,260}|[a-z][a-z0-9+.-]{0,30}://[^/\\s?#@]{0,260})$", origin))
    ]]))
    error_message = "An origin is * or a scheme and a host such as https://www.example.com, without a path and without a slash at the end."
  }
  validation {
    condition     = alltrue([for source in var.sources : source.events_per_second_max == null ? true : source.events_per_second_max > 0 && source.events_per_second_max <= 1000000])
    error_message = "events_per_second_max is above 0 and at most 1000000, or is left out for no bound."
  }
  validation {
    condition     = alltrue([for source in var.sources : source.analytics_storage == null ? true : contains(["Yes", "No", "Unset"], source.analytics_storage)])
    error_message = "analytics_storage is Yes, No or Unset, or is left out."
  }
  validation {
    # A secret holds 64 KiB, and base64 is the larger of the two ways to count it.
    condition     = length(base64encode(jsonencode(var.sources))) <= 65536
    error_message = "The sources document is larger than a secret can be (64 KiB); sources that share a key can be one."
  }
}

variable "retention_days" {
  description = "Days that topics and subscriptions keep messages: how long a writer may be broken before anything is lost. Raw files are joined only after it."
  type        = number
  default     = 7
  nullable    = false
  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 31 && floor(var.retention_days) == var.retention_days
    error_message = "Messages are kept for a whole number of days from 1 to 31."
  }
}

variable "late_days_max" {
  description = "Events older than this many days are stored as rejected, with the reason too_late."
  type        = number
  default     = 30
  nullable    = false
  validation {
    condition     = var.late_days_max >= 1 && var.late_days_max <= 3650 && floor(var.late_days_max) == var.late_days_max
    error_message = "Events may be late by a whole number of days from 1 to 3650."
  }
}

variable "soft_delete_days" {
  description = "Days that a deleted file or bundle can be brought back."
  type        = number
  default     = 7
  nullable    = false
  validation {
    condition     = var.soft_delete_days >= 7 && var.soft_delete_days <= 90 && floor(var.soft_delete_days) == var.soft_delete_days
    error_message = "Cloud Storage keeps deleted files for a whole number of days from 7 to 90; without it a mistake could not be undone."
  }
}

variable "alert_email" {
  description = "Who is told when something is wrong. A list of a team, rather than a person."
  type        = string
  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s.]+$", var.alert_email))
    error_message = "The alert e-mail is one address, such as data-team@example.com."
  }
}

variable "collector_instances" {
  description = "How many instances of the collector may run. min above 0 spares the first sender a cold start and costs money when idle; max bounds the bill: above it Cloud Run answers 429, and clients send again."
  type        = object({ min = optional(number, 0), max = optional(number, 20) })
  default     = {}
  nullable    = false
  validation {
    condition     = floor(var.collector_instances.min) == var.collector_instances.min && floor(var.collector_instances.max) == var.collector_instances.max && var.collector_instances.min >= 0 && var.collector_instances.max >= 1 && var.collector_instances.max <= 1000 && var.collector_instances.min <= var.collector_instances.max
    error_message = "The collector has a whole number of instances: at least 0 and at most 1 to 1000, and not more at least than at most."
  }
}

variable "writer_instances" {
  description = "The same for each of the two writers. Pub/Sub keeps what they cannot take yet."
  type        = object({ min = optional(number, 0), max = optional(number, 10) })
  default     = {}
  nullable    = false
  validation {
    condition     = floor(var.writer_instances.min) == var.writer_instances.min && floor(var.writer_instances.max) == var.writer_instances.max && var.writer_instances.min >= 0 && var.writer_instances.max >= 1 && var.writer_instances.max <= 1000 && var.writer_instances.min <= var.writer_instances.max
    error_message = "A writer has a whole number of instances: at least 0 and at most 1 to 1000, and not more at least than at most."
  }
}
