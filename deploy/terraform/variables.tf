variable "name" {
  type        = string
  default     = "janitor"
  description = "How the names of everything made here begin."

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,31}$", var.name))
    error_message = "It is 1 to 32 letters, digits and hyphens, a letter first."
  }
}

variable "table" {
  type        = string
  description = "The token table's name, like prod-LISAApiBaseTokenTable."

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table))
    error_message = "It is the name of a DynamoDB table."
  }
}

variable "image" {
  type        = string
  description = "The image that deploy/docker builds, best by its digest."

  validation {
    condition     = can(regex("^\\S+$", var.image))
    error_message = "It is the address of an image."
  }
}

variable "image_repository_arn" {
  type        = string
  default     = ""
  description = "The image's repository, where it is in Amazon ECR; empty for an image that anybody can pull."

  validation {
    condition     = can(regex("^(|arn:[a-z-]+:ecr:.+:repository/.+)$", var.image_repository_arn))
    error_message = "It is the ARN of a repository in ECR, or empty."
  }
}

variable "cpu_architecture" {
  type        = string
  default     = "X86_64"
  description = "What the image was built for."

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "It is X86_64 or ARM64."
  }
}

variable "cpu" {
  type        = number
  default     = 256
  description = "In 1024ths of a core."

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "It is 256, 512, 1024, 2048 or 4096."
  }
}

variable "memory" {
  type        = number
  default     = 512
  description = "In MiB, scratch_mib included; Fargate takes certain pairs of cpu and memory only."

  validation {
    condition     = contains([512, 1024, 2048, 3072, 4096, 8192], var.memory)
    error_message = "It is 512, 1024, 2048, 3072, 4096 or 8192."
  }
}

variable "scratch_mib" {
  type        = number
  default     = 128
  description = "For the plan of a sweep on its way, some 500 bytes a stale row. It is memory, so no token is on a disk."

  validation {
    condition     = var.scratch_mib >= 16 && var.scratch_mib <= 4096
    error_message = "It is from 16 to 4096."
  }
}

variable "subnets" {
  type        = list(string)
  description = "With a way to ECR, CloudWatch Logs, DynamoDB, SNS and S3, by NAT or by endpoints."

  validation {
    condition     = length(var.subnets) > 0
    error_message = "Give at least one subnet."
  }
}

variable "security_groups" {
  type        = list(string)
  description = "Which allow 443 outwards. Nothing comes in."

  validation {
    condition     = length(var.security_groups) > 0
    error_message = "Give at least one security group."
  }
}

variable "assign_public_ip" {
  type        = bool
  default     = false
  description = "true in a public subnet, where there is no NAT and no endpoint."
}

variable "schedule" {
  type        = string
  default     = "cron(30 2 * * ? *)"
  description = "When it runs, as EventBridge Scheduler has it. The alarms expect it once a day."

  validation {
    condition     = can(regex("^(cron|rate)\\(.+\\)$", var.schedule))
    error_message = "It is cron(…) or rate(…)."
  }
}

variable "timezone" {
  type        = string
  default     = "Etc/UTC"
  description = "Whose clock the schedule is read by."

  validation {
    condition     = can(regex("^[A-Za-z0-9_+/-]+$", var.timezone))
    error_message = "It is a name like Europe/Berlin."
  }
}

variable "flexible_minutes" {
  type        = number
  default     = 15
  description = "It starts within so many minutes of its time."

  validation {
    condition     = var.flexible_minutes >= 1 && var.flexible_minutes <= 1440
    error_message = "It is from 1 to 1440."
  }
}

variable "schedule_enabled" {
  type        = bool
  default     = true
  description = "false pauses it."
}

variable "expiring_within" {
  type        = string
  default     = "30d 7d 1d"
  description = "How far ahead a token counts as about to expire; it is announced at each."

  validation {
    condition     = trimspace(var.expiring_within) != ""
    error_message = "Give at least one time, like 7d."
  }
}

variable "grace" {
  type        = string
  default     = "30d"
  description = "How long an expired token is kept before it counts as stale."

  validation {
    condition     = can(regex("^\\S+$", var.grace))
    error_message = "It is a time, like 30d."
  }
}

variable "unlock_after" {
  type        = string
  default     = "1h"
  description = "How long after its expiry a token counts as stale that keeps its owner from a new one (LISA 6.1 and later); empty for no sooner than any other."

  validation {
    condition     = can(regex("^\\S*$", var.unlock_after))
    error_message = "It is a time, like 1h, or empty."
  }
}

variable "protect_system" {
  type        = bool
  default     = true
  description = "Whether system tokens are never deleted."
}

variable "deadline" {
  type        = string
  default     = "30m"
  description = "A run ends by itself after this time, and says how far it came."

  validation {
    condition     = can(regex("^\\S+$", var.deadline))
    error_message = "It is a time, like 30m."
  }
}

variable "topic_email" {
  type        = string
  default     = ""
  description = "An address that gets every notice, once its owner confirms the mail that AWS sends; empty for none."

  validation {
    condition     = can(regex("^(|[^@\\s]+@[^@\\s]+)$", var.topic_email))
    error_message = "It is an address, or empty."
  }
}

variable "reports_bucket" {
  type        = string
  default     = ""
  description = "The bucket for an HTML and a JSON report a day; empty for none."

  validation {
    condition     = can(regex("^(|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$", var.reports_bucket))
    error_message = "It is the name of a bucket, or empty."
  }
}

variable "reports_prefix" {
  type        = string
  default     = "janitor-reports/"
  description = "How the keys of reports begin, with a slash at its end."

  validation {
    condition     = can(regex("^(|[A-Za-z0-9_.-][A-Za-z0-9_./-]*/)$", var.reports_prefix))
    error_message = "It ends with a slash."
  }
}

variable "delete_stale" {
  type        = bool
  default     = false
  description = "true deletes what is stale, after it was archived. Read a few reports before."
}

variable "archive_bucket" {
  type        = string
  default     = ""
  description = "Where rows are kept before they are deleted. An archive of a classic table holds tokens in plain text: the bucket has to be private."

  validation {
    condition     = can(regex("^(|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$", var.archive_bucket))
    error_message = "It is the name of a bucket, or empty."
  }
}

variable "archive_prefix" {
  type        = string
  default     = "janitor-archive/"
  description = "How the keys of archives begin, with a slash at its end."

  validation {
    condition     = can(regex("^(|[A-Za-z0-9_.-][A-Za-z0-9_./-]*/)$", var.archive_prefix))
    error_message = "It ends with a slash."
  }
}

variable "max_deletes" {
  type        = number
  default     = 1000
  description = "A run that would delete more rows deletes none."

  validation {
    condition     = var.max_deletes >= 0
    error_message = "It is 0 or more."
  }
}

variable "max_delete_percent" {
  type        = number
  default     = 50
  description = "So does one that would delete a larger share of the table."

  validation {
    condition     = var.max_delete_percent >= 0 && var.max_delete_percent <= 100
    error_message = "It is from 0 to 100."
  }
}

variable "log_retention_days" {
  type        = number
  default     = 90
  description = "How long the log is kept."

  validation {
    condition     = var.log_retention_days > 0
    error_message = "It is one of the numbers of days that CloudWatch Logs takes."
  }
}

variable "hours_without_success" {
  type        = number
  default     = 26
  description = "So many hours without a successful run are an alarm."

  validation {
    condition     = var.hours_without_success >= 1 && var.hours_without_success <= 168
    error_message = "It is from 1 to 168."
  }
}

variable "alarm_action_arn" {
  type        = string
  description = "What is told of alarms, like a topic that you have for them; one that alias/aws/sns encrypts is out of CloudWatch's reach."

  validation {
    condition     = can(regex("^arn:.+$", var.alarm_action_arn))
    error_message = "It is an ARN."
  }
}

variable "permissions_boundary" {
  type        = string
  default     = null
  description = "The ARN of the policy that bounds every role that is made here; null for none."
}
