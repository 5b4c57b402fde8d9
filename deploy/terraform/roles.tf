# A role that is given is not made, nor are its policies. What docs/how-to/aws-restricted.md says of roles holds here too.
locals {
  iam_name           = "${var.iam_name_prefix}${var.name}"
  role_arn           = coalesce(var.role_arn, one(aws_iam_role.run[*].arn))
  execution_role_arn = local.on_fargate == 1 ? coalesce(var.execution_role_arn, one(aws_iam_role.execution[*].arn)) : null
  scheduler_role_arn = local.on_fargate == 1 ? coalesce(var.scheduler_role_arn, one(aws_iam_role.scheduler[*].arn)) : null

  makes_execution_role = var.execution_role_arn == null ? local.on_fargate : 0
  makes_scheduler_role = var.scheduler_role_arn == null ? local.on_fargate : 0
  makes_log_policy     = var.role_arn == null ? local.on_lambda : 0

  trust_in_task = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # No task of another account gets at it by way of ECS.
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "${local.arn}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })

  trust_in_function = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  may_write_the_log = {
    Sid      = "WriteTheLog"
    Effect   = "Allow"
    Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    Resource = "${aws_cloudwatch_log_group.this.arn}:*"
  }
}

# What janitor itself may do.
resource "aws_iam_role" "run" {
  count                = var.role_arn == null ? 1 : 0
  name                 = "${local.iam_name}-${var.run_on == "lambda" ? "function" : "task"}"
  path                 = var.iam_path
  permissions_boundary = var.permissions_boundary
  assume_role_policy   = var.run_on == "lambda" ? local.trust_in_function : local.trust_in_task
}

resource "aws_iam_policy" "run" {
  for_each = { for name, text in module.documents.policies : name => text if var.role_arn == null }
  name     = "${local.iam_name}-${each.key}"
  path     = var.iam_path
  policy   = each.value
}

resource "aws_iam_role_policy_attachment" "run" {
  for_each   = aws_iam_policy.run
  role       = aws_iam_role.run[0].name
  policy_arn = each.value.arn
}

resource "aws_iam_policy" "log" {
  count = local.makes_log_policy
  name  = "${local.iam_name}-log"
  path  = var.iam_path

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.may_write_the_log]
  })
}

resource "aws_iam_role_policy_attachment" "log" {
  count      = local.makes_log_policy
  role       = aws_iam_role.run[0].name
  policy_arn = aws_iam_policy.log[0].arn
}

# AWS's own, for the network interfaces of a function in a VPC.
resource "aws_iam_role_policy_attachment" "vpc" {
  count      = length(var.subnets) > 0 ? local.makes_log_policy : 0
  role       = aws_iam_role.run[0].name
  policy_arn = "${local.arn}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}

# What ECS may do to start it.
resource "aws_iam_role" "execution" {
  count                = local.makes_execution_role
  name                 = "${local.iam_name}-execution"
  path                 = var.iam_path
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_policy" "execution" {
  count = local.makes_execution_role
  name  = "${local.iam_name}-execution"
  path  = var.iam_path

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [local.may_write_the_log],
      [for statement in [
        {
          Sid      = "PullTheImage"
          Effect   = "Allow"
          Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = var.image_repository_arn
        },
        # ECR knows no resource for this one.
        {
          Sid      = "LogInToTheRegistry"
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = "*"
        },
      ] : statement if var.image_repository_arn != ""],
    )
  })
}

resource "aws_iam_role_policy_attachment" "execution" {
  count      = local.makes_execution_role
  role       = aws_iam_role.execution[0].name
  policy_arn = aws_iam_policy.execution[0].arn
}

# What the schedule may do: start this task, with these two roles, and nothing else.
resource "aws_iam_role" "scheduler" {
  count                = local.makes_scheduler_role
  name                 = "${local.iam_name}-scheduler"
  path                 = var.iam_path
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # By the group and not by the schedule, as EventBridge Scheduler's guide asks for.
      Condition = {
        StringEquals = {
          "aws:SourceAccount" = local.account
          "aws:SourceArn"     = aws_scheduler_schedule_group.this[0].arn
        }
      }
    }]
  })
}

resource "aws_iam_policy" "scheduler" {
  count = local.makes_scheduler_role
  name  = "${local.iam_name}-scheduler"
  path  = var.iam_path

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "RunTheTask"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "${local.arn}:ecs:${local.region}:${local.account}:task-definition/${var.name}:*"
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this[0].arn } }
      },
      {
        Sid       = "GiveItItsRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = [local.role_arn, local.execution_role_arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      {
        Sid      = "KeepWhatCouldNotBeStarted"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.not_started.arn
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "scheduler" {
  count      = local.makes_scheduler_role
  role       = aws_iam_role.scheduler[0].name
  policy_arn = aws_iam_policy.scheduler[0].arn
}
