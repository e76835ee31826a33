"""The model read word by word: dictionaries and loops, no tables, nothing of geodns.

`Interpreter` takes a document as plain dictionaries, the geo data as a list of networks with
places, AS numbers likewise and the health of targets, and says what one question's answer is.
It follows the design, section 4, and FORMAT.md, "Subject", "Choosing" and "Draws".
"""

from support.interpreter.answering import Answer as Answer
from support.interpreter.answering import Interpreter as Interpreter
from support.interpreter.choosing import Health as Health
from support.interpreter.geography import Geography as Geography
from support.interpreter.geography import Place as Place
from support.interpreter.ranking import Undecided as Undecided
from support.interpreter.subjects import Question as Question
