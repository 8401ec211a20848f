"""Every mail sent through the sandbox, to whomever, in one mailbox that only the sandbox has."""
