"""The service that answers, remembers and learns; its learner; the adapter versions it makes."""
