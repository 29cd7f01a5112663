-- Whether any post still shows an image is asked whenever one that did goes away, and of every file that the sweep meets.
CREATE INDEX idx_posts_image_url ON posts (image_url) WHERE image_url IS NOT NULL;
