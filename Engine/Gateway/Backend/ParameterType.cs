namespace Platform.Gateway.Backend;

/// <summary>The types of parameters, with PostgreSQL's numbers of them (<c>pg_type.oid</c> of built-in types, which never change).</summary>
internal enum ParameterType
{
    /// <summary><c>boolean</c></summary>
    Boolean = 16,

    /// <summary><c>bytea</c></summary>
    Bytes = 17,

    /// <summary><c>bigint</c></summary>
    Int64 = 20,

    /// <summary><c>text</c></summary>
    Text = 25,

    /// <summary><c>double precision</c></summary>
    Double = 701,

    /// <summary><c>bigint[]</c></summary>
    Int64Array = 1016,
}
