# What the task may do and what it is told, as data: no provider is needed to look at it. The rights are the files of
# deploy/aws/iam, which CloudFormation's policies are checked against too.
locals {
  iam = "${path.module}/../../aws/iam"

  names = {
    partition   = var.partition
    region      = var.region
    account     = var.account
    table       = var.table
    topic       = var.topic
    state_table = var.state_table
  }

  looks   = templatefile("${local.iam}/report-only.json", local.names)
  notices = templatefile("${local.iam}/notices.json", local.names)
  sweeps = templatefile("${local.iam}/sweep.json", merge(local.names, {
    bucket = var.archive_bucket, prefix = var.archive_prefix
  }))
  reports = templatefile("${local.iam}/reports-in-s3.json", merge(local.names, {
    bucket = var.reports_bucket, prefix = var.reports_prefix
  }))
}

output "policies" {
  description = "The policies of the role that janitor runs as, by name."
  value = merge(
    { notices = local.notices },
    var.delete_stale ? { sweep = local.sweeps } : { report-only = local.looks },
    var.reports_bucket == "" ? {} : { reports-in-s3 = local.reports },
  )

  precondition {
    condition     = !var.delete_stale || var.archive_bucket != ""
    error_message = "delete_stale needs an archive_bucket, because a task's own disk is gone with it."
  }
}

output "command" {
  description = "What the image's entry point gets."
  value       = var.delete_stale ? ["sweep", "--delete", "--yes"] : ["scan"]
}

output "environment" {
  description = "The variables of the task."
  value = merge(
    {
      JANITOR_TABLE              = var.table
      JANITOR_REGION             = var.region
      JANITOR_EXPIRING_WITHIN    = var.expiring_within
      JANITOR_GRACE              = var.grace
      JANITOR_DEADLINE           = var.deadline
      JANITOR_FORMAT             = "none"
      JANITOR_LOG_FORMAT         = "json"
      JANITOR_METRICS            = "emf"
      JANITOR_JOB                = "task"
      JANITOR_MAX_DELETES        = tostring(var.max_deletes)
      JANITOR_MAX_DELETE_PERCENT = tostring(var.max_delete_percent)
      JANITOR_SNS_TOPIC_ARN      = "arn:${var.partition}:sns:${var.region}:${var.account}:${var.topic}"
      JANITOR_SNS_FORMAT         = "json"
      JANITOR_STATE_URL          = "dynamodb://${var.state_table}"
    },
    var.unlock_after == "" ? {} : { JANITOR_UNLOCK_AFTER = var.unlock_after },
    var.protect_system ? { JANITOR_PROTECT_SYSTEM = "true" } : {},
    var.reports_bucket == "" ? {} : {
      JANITOR_REPORT = join("\n", [for format in ["html", "json"] :
        "${format}=s3://${var.reports_bucket}/${var.reports_prefix}{table}/{date}.${format}"
      ])
    },
    var.delete_stale ? { JANITOR_ARCHIVE = "s3://${var.archive_bucket}/${var.archive_prefix}" } : {},
  )
}
