from remediate.evaluate.knex.builder import Builder


class SchemaBuilder(Builder):
    pass
