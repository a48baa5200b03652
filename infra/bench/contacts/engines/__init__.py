"""The databases the questions are asked of, each behind the same few methods (`base.Engine`)."""
