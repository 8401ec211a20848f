true && echo one || echo two; false && echo three || echo four; ! false; echo $?
