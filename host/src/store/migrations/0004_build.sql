-- How the code of a plugin was compiled: the numbers of a debug build are marked wherever they are shown.

ALTER TABLE cases ADD COLUMN plugin_build VARCHAR; -- debug, release; absent where the plugin does not say
