-- Whether a post still shows an image is checked when such a post is deleted or changed, and for every file of a sweep.
CREATE INDEX idx_posts_image_url ON posts (image_url) WHERE image_url IS NOT NULL;
