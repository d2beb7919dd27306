DROP TABLE user_search_trigrams;
DROP TABLE user_search;
DROP TABLE social_auth_index;
DROP TABLE user_gaps;
DROP TABLE social_auth_blocks;
DROP TABLE user_blocks;
DROP TABLE upkeep_marks;
