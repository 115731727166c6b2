"""Training of the models that come with the chatbot, from other people's questions and passages."""
