# As deploy/aws/task.yaml has it.
resource "aws_ecs_cluster" "this" {
  count = local.on_fargate
  name  = var.name

  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}

resource "aws_ecs_task_definition" "this" {
  count                    = local.on_fargate
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = coalesce(var.memory, 512)
  execution_role_arn       = local.execution_role_arn
  task_role_arn            = local.role_arn

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
        size          = coalesce(var.scratch_mib, 128)
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
  count = local.on_fargate
  name  = var.name
}

resource "aws_scheduler_schedule" "this" {
  count                        = local.on_fargate
  name                         = var.name
  group_name                   = aws_scheduler_schedule_group.this[0].name
  description                  = "janitor over the table ${local.table}"
  schedule_expression          = var.schedule
  schedule_expression_timezone = var.timezone
  state                        = var.schedule_enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = var.flexible_minutes
  }

  target {
    arn      = aws_ecs_cluster.this[0].arn
    role_arn = local.scheduler_role_arn

    ecs_parameters {
      task_definition_arn    = aws_ecs_task_definition.this[0].arn
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

  lifecycle {
    precondition {
      condition     = length(var.subnets) > 0 && length(var.security_groups) > 0
      error_message = "A Fargate task needs subnets and security_groups."
    }
  }
}
