from remediate.evaluate.knex.builder import Builder


class QueryBuilder(Builder):
    pass
