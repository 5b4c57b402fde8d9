"""Notices: who is notified about which token, once, and what the messages say.

Who is notified, once:

- `announce`: the end of a run: for each destination messages to owners, then one digest. `announcer` does it for one
  table, `announcer_group` for all destinations, and `dry_announcement` only says what a real run would send.
- `audience`, `channel`: a destination and a kind of message; whether a token is due there; where messages go.
- `address_book`, `owners_without_address`: which address an owner has, and who has none.
- `notice_memory`: compares findings (`seen_token`) with what earlier runs announced, and keeps the due notices on disk
  (`notice_spool`).
- `find_changes`, `run_problem`: what changed since the last run; why runs are refused or fail night after night.

What a message says; pure, from values to texts:

- `notice`: what there is to say about one token. `token_message`: a message of its own, for its owner, with the text
  of `owner_text`.
- `digest_content`: what a digest says, as values; `today`: what of it has to be done today. `digest_parts` splits it
  into messages that SNS takes, each as `digest_text` for mailboxes and `digest_json` for programs.
- `chat_text`: a digest in short, for chat apps. `service_digest`: a digest for a service of `--notify`.
- `failure_message`: a run that came to no report.
- `subject_line`, `text_wrapping`, `fifo_ids`: subjects, lines for mailboxes, ids for FIFO topics.
"""
