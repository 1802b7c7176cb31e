# Makes the settings file of the package from deploy/bigfusion.conf: the store and the account become an example in
# comments, so that nothing is asked of a store that does not exist.
s|^# All programs read this one file.*|&\
# The lines that begin with # and no blank are an example of a store and its account: to be filled in.|
s|/run/secrets/[a-z]*/|/etc/bigfusion/secrets/|
s~^\(\[store .*\|\[infusionsoft .*\|hash = .*\|token_file = .*\|account = .*\|key_file = .*\)$~#\1~
