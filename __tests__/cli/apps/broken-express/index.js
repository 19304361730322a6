throw new Error('this Express is broken');
