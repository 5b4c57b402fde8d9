# janitor: a run on a schedule, as a Fargate task that EventBridge Scheduler starts. It reports, and deletes nothing until
# delete_stale is true. The same as deploy/aws/task.yaml, policies.yaml, notices.yaml, state.yaml and alarms.yaml.
data "aws_partition" "this" {}
data "aws_region" "this" {}
data "aws_caller_identity" "this" {}

locals {
  # By the provider's older name: version 6 says region besides, and still knows this one.
  region  = data.aws_region.this.name
  account = data.aws_caller_identity.this.account_id
  arn     = "arn:${data.aws_partition.this.partition}"
}

module "documents" {
  source = "./documents"

  partition          = data.aws_partition.this.partition
  region             = local.region
  account            = local.account
  topic              = "${var.name}-notices"
  state_table        = "${var.name}-state"
  table              = var.table
  expiring_within    = var.expiring_within
  grace              = var.grace
  unlock_after       = var.unlock_after
  protect_system     = var.protect_system
  deadline           = var.deadline
  reports_bucket     = var.reports_bucket
  reports_prefix     = var.reports_prefix
  delete_stale       = var.delete_stale
  archive_bucket     = var.archive_bucket
  archive_prefix     = var.archive_prefix
  max_deletes        = var.max_deletes
  max_delete_percent = var.max_delete_percent
}

resource "aws_sns_topic" "notices" {
  name              = "${var.name}-notices"
  display_name      = "janitor"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_sns_topic_subscription" "email" {
  count     = var.topic_email == "" ? 0 : 1
  topic_arn = aws_sns_topic.notices.arn
  protocol  = "email"
  endpoint  = var.topic_email
}

# Who loses it is told of every token once more.
resource "aws_dynamodb_table" "state" {
  name                        = "${var.name}-state"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "scope"
  range_key                   = "item"
  deletion_protection_enabled = true

  attribute {
    name = "scope"
    type = "S"
  }

  attribute {
    name = "item"
    type = "S"
  }

  ttl {
    attribute_name = "expiresAt"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/janitor/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }

  container_definitions = jsonencode([{
    name                   = "janitor"
    image                  = var.image
    essential              = true
    command                = module.documents.command
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    stopTimeout            = 30
    linuxParameters = {
      capabilities       = { drop = ["ALL"] }
      initProcessEnabled = true
      tmpfs = [{
        containerPath = "/tmp"
        size          = var.scratch_mib
        mountOptions  = ["rw", "noexec", "nosuid", "nodev", "uid=65532", "gid=65532"]
      }]
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "run"
      }
    }
    environment = [for name, value in module.documents.environment : { name = name, value = value }]
  }])
}

resource "aws_scheduler_schedule_group" "this" {
  name = var.name
}

resource "aws_scheduler_schedule" "this" {
  name                         = var.name
  group_name                   = aws_scheduler_schedule_group.this.name
  description                  = "janitor over the table ${var.table}"
  schedule_expression          = var.schedule
  schedule_expression_timezone = var.timezone
  state                        = var.schedule_enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = var.flexible_minutes
  }

  target {
    arn      = aws_ecs_cluster.this.arn
    role_arn = aws_iam_role.scheduler.arn

    ecs_parameters {
      task_definition_arn    = aws_ecs_task_definition.this.arn
      task_count             = 1
      launch_type            = "FARGATE"
      platform_version       = "LATEST"
      enable_execute_command = false

      network_configuration {
        subnets          = var.subnets
        security_groups  = var.security_groups
        assign_public_ip = var.assign_public_ip
      }
    }

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 5
    }

    dead_letter_config {
      arn = aws_sqs_queue.not_started.arn
    }
  }
}

resource "aws_sqs_queue" "not_started" {
  name                      = "${var.name}-not-started"
  message_retention_seconds = 1209600 # 14 days
  sqs_managed_sse_enabled   = true
}
