mod genesys_model;
