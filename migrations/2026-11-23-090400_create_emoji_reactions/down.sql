DROP TABLE emoji_reactions;
