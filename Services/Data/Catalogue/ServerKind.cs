namespace Platform.Data.Catalogue;

/// <summary>What a server is, as far as the catalogue declares something else for it.</summary>
public enum ServerKind
{
    /// <summary>MongoDB, and every server that does not say that it is another one.</summary>
    MongoDb,

    /// <summary>DocumentDB, behind the gateway of the engine <c>documentdb</c> or another program that speaks MongoDB's protocol.</summary>
    DocumentDb,
}
