# What the run may do and what it is told, as data: no provider is needed to look at it. The rights are the files of
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
    parameter   = var.table_parameter
  }

  looks   = templatefile("${local.iam}/report-only.json", local.names)
  notices = templatefile("${local.iam}/notices.json", local.names)
  finds   = templatefile("${local.iam}/find-by-parameter.json", local.names)
  sweeps = templatefile("${local.iam}/sweep.json", merge(local.names, {
    bucket = var.archive_bucket, prefix = var.archive_prefix
  }))
  reports = templatefile("${local.iam}/reports-in-s3.json", merge(local.names, {
    bucket = var.reports_bucket, prefix = var.reports_prefix
  }))

  # Whether it deletes or not, so that the alarms go on.
  job = var.run_on == "lambda" ? "function" : "task"

  # What a function has by other means: its region and its deadline from Lambda, and no standard output.
  of_task = {
    JANITOR_REGION   = var.region
    JANITOR_DEADLINE = var.deadline
    JANITOR_FORMAT   = "none"
  }
  # A schedule file that says nothing but whether to delete: only a file can say that.
  of_function = {
    JANITOR_SCHEDULE = var.delete_stale ? "[delete]\nenabled = true\n" : "description = \"Reports, and deletes nothing\"\n"
  }
}

output "job" {
  description = "What metrics call the job."
  value       = local.job
}

output "policies" {
  description = "The policies of the role that janitor runs as, by name."
  value = merge(
    { notices = local.notices },
    var.delete_stale ? { sweep = local.sweeps } : { report-only = local.looks },
    var.reports_bucket == "" ? {} : { reports-in-s3 = local.reports },
    var.table_parameter == "" ? {} : { find-by-parameter = local.finds },
  )

  precondition {
    condition     = !var.delete_stale || var.archive_bucket != ""
    error_message = "delete_stale needs an archive_bucket, because the disk of a task or a function is gone with it."
  }

  precondition {
    condition     = var.table_parameter != "" || !strcontains(var.table, "*")
    error_message = "table is a pattern only beside a table_parameter."
  }
}

output "command" {
  description = "What the image's entry point gets in a task."
  value       = var.delete_stale ? ["sweep", "--delete", "--yes"] : ["scan"]
}

output "environment" {
  description = "The variables of the run."
  value = merge(
    var.table_parameter == "" ? { JANITOR_TABLE = var.table } : { JANITOR_SSM_PARAMETER = "/${var.table_parameter}" },
    { for name, value in local.of_task : name => value if var.run_on == "fargate" },
    { for name, value in local.of_function : name => value if var.run_on == "lambda" },
    {
      JANITOR_EXPIRING_WITHIN    = var.expiring_within
      JANITOR_GRACE              = var.grace
      JANITOR_LOG_FORMAT         = "json"
      JANITOR_METRICS            = "emf"
      JANITOR_JOB                = local.job
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
    var.settings,
  )
}
