"""The model the sandbox's agents think with, scriptable, speaking OpenAI's and Anthropic's HTTP.

Without a script it is good enough for a demonstration:

- A prompt with GREETING_MARK, in English or French, followed by a fenced block of three backquotes,
  is answered with the block's text and nothing else: that is how a farm has an agent speak first.

      Greet Nadia now with exactly these words:
      ```
      Bonjour Nadia, je suis Ada.
      ```

- A wish to write a file ("write a file notes.txt saying hello and read it back", "écris un fichier
  notes.txt qui dit bonjour et relis-le"), to read one ("read notes.txt") or to run a command
  given in backquotes ("run `uname -a`", "lance `uname -a`") becomes real tool calls, if such tools
  are offered; the answer reports what the tools returned.
- Everything else is politely repeated in the language it was asked in (French or English).

A script comes first: turns matched by a substring of the question, each a list of steps (a text or
tool calls). Which step is next is read from the conversation alone, so the same request always gets
the same answer; and after MOST_STEPS rounds of tool calls it ends the turn by itself, because no
client may be kept calling tools for ever.
"""

GREETING_MARK = ("exactly these words:", "exactement ces mots :", "exactement ces mots:")
MODEL = "sandbox-1"
MOST_STEPS = 12
