variable "name" {
  type        = string
  default     = "janitor"
  description = "How the names of everything made here begin."

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,31}$", var.name))
    error_message = "It is 1 to 32 letters, digits and hyphens, a letter first."
  }
}

variable "run_on" {
  type        = string
  default     = "fargate"
  description = "fargate: a task that EventBridge Scheduler starts. lambda: a function that an EventBridge rule invokes."

  validation {
    condition     = contains(["fargate", "lambda"], var.run_on)
    error_message = "It is fargate or lambda."
  }
}

variable "table" {
  type        = string
  description = "The token table's name, like prod-LISAApiBaseTokenTable. With table_parameter, a pattern like prod-LISAApi*TokenTable, which the rights cover: keep it narrow."

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3}[A-Za-z0-9_.*-]{0,252}$", var.table))
    error_message = "It is the name of a DynamoDB table, or a pattern of at least 3 characters before the first *."
  }
}

variable "table_parameter" {
  type        = string
  default     = ""
  description = "The parameter that LISA keeps the table's name in, without its first slash, like prod/prod/lisa/tokenTableName; empty where table is the name. Every run looks there, and so follows a LISA that renames its table."

  validation {
    condition     = can(regex("^(|[A-Za-z0-9_.-][A-Za-z0-9_./-]*)$", var.table_parameter))
    error_message = "It is the name of a parameter without its first slash, or empty."
  }
}

variable "image" {
  type        = string
  description = "The image that deploy/docker builds, best by its digest. For Lambda the one of --target lambda, in Amazon ECR of this region."

  validation {
    condition     = can(regex("^\\S+$", var.image))
    error_message = "It is the address of an image."
  }
}

variable "image_repository_arn" {
  type        = string
  default     = ""
  description = "Fargate: the image's repository, where it is in Amazon ECR; empty for an image that anybody can pull."

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
  description = "Fargate: in 1024ths of a core. A function gets a whole core with 1769 MiB of memory."

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "It is 256, 512, 1024, 2048 or 4096."
  }
}

variable "memory" {
  type        = number
  default     = null
  description = "In MiB; null for 512, on Lambda 1024. On Fargate scratch_mib is included, and certain pairs of cpu and memory only are taken."

  validation {
    condition     = coalesce(var.memory, 512) >= 512 && coalesce(var.memory, 512) <= 10240
    error_message = "It is from 512 to 10240."
  }
}

variable "scratch_mib" {
  type        = number
  default     = null
  description = "For the plan of a sweep on its way, some 500 bytes a stale row; null for 128, on Lambda 512, which is its least. On Fargate it is memory, so no token is on a disk."

  validation {
    condition     = coalesce(var.scratch_mib, 128) >= 16 && coalesce(var.scratch_mib, 128) <= 10240
    error_message = "It is from 16 to 10240."
  }
}

variable "subnets" {
  type        = list(string)
  default     = []
  description = "With a way to ECR, CloudWatch Logs, DynamoDB, SNS and S3, by NAT or by endpoints. Fargate needs them; a function needs them only where your account wants functions in a VPC."
}

variable "security_groups" {
  type        = list(string)
  default     = []
  description = "Of the subnets, which allow 443 outwards. Nothing comes in."
}

variable "assign_public_ip" {
  type        = bool
  default     = false
  description = "Fargate: true in a public subnet, where there is no NAT and no endpoint."
}

variable "schedule" {
  type        = string
  default     = "cron(30 2 * * ? *)"
  description = "When it runs, as EventBridge has it; on Lambda in UTC. The alarms expect it once a day."

  validation {
    condition     = can(regex("^(cron|rate)\\(.+\\)$", var.schedule))
    error_message = "It is cron(…) or rate(…)."
  }
}

variable "timezone" {
  type        = string
  default     = "Etc/UTC"
  description = "Fargate: whose clock the schedule is read by."

  validation {
    condition     = can(regex("^[A-Za-z0-9_+/-]+$", var.timezone))
    error_message = "It is a name like Europe/Berlin."
  }
}

variable "flexible_minutes" {
  type        = number
  default     = 15
  description = "Fargate: it starts within so many minutes of its time."

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
  description = "Fargate: a run ends by itself after this time, and says how far it came."

  validation {
    condition     = can(regex("^\\S+$", var.deadline))
    error_message = "It is a time, like 30m."
  }
}

variable "timeout" {
  type        = number
  default     = 300
  description = "Lambda: in seconds. A run ends by itself 15 seconds before, and says how far it came."

  validation {
    condition     = var.timeout >= 60 && var.timeout <= 900
    error_message = "It is from 60 to 900."
  }
}

variable "reserve_concurrency" {
  type        = bool
  default     = true
  description = "Lambda: whether the function never runs twice at once. false where the account has too little concurrency to reserve any; the lease in the state table keeps two sweeps apart all the same."
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

variable "settings" {
  type        = map(string)
  default     = {}
  description = "Further variables of the run, like JANITOR_CONTACT, JANITOR_PROTECT_USER, JANITOR_PER_TOKEN or AWS_CA_BUNDLE. They beat the values above."
}

variable "permissions_boundary" {
  type        = string
  default     = null
  description = "The ARN of the policy that bounds every role that is made here; null for none."
}

variable "iam_name_prefix" {
  type        = string
  default     = ""
  description = "How the names of the roles and policies that are made here begin; name follows."

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{0,22}$", var.iam_name_prefix))
    error_message = "It is at most 22 letters, digits and +=,.@_- in all."
  }
}

variable "iam_path" {
  type        = string
  default     = "/"
  description = "The path of the roles and policies that are made here, like /lisa/."

  validation {
    condition     = can(regex("^/([A-Za-z0-9+=,.@_-]+/)*$", var.iam_path))
    error_message = "It begins and ends with a slash."
  }
}

variable "role_arn" {
  type        = string
  default     = null
  description = "A role that janitor runs as, in place of one that is made here; null to make one."
}

variable "execution_role_arn" {
  type        = string
  default     = null
  description = "Fargate: a role that ECS starts the task by, likewise."
}

variable "scheduler_role_arn" {
  type        = string
  default     = null
  description = "Fargate: a role that EventBridge Scheduler runs the task by, likewise."
}
