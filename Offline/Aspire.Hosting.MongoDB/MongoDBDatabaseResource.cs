namespace Aspire.Hosting.ApplicationModel;

/// <summary>A database of a MongoDB server.</summary>
/// <param name="name">The name of the resource.</param>
/// <param name="databaseName">The name of the database.</param>
/// <param name="parent">The server.</param>
public class MongoDBDatabaseResource(string name, string databaseName, MongoDBServerResource parent)
    : Resource(name), IResourceWithParent<MongoDBServerResource>, IResourceWithConnectionString
{
    /// <summary>The server.</summary>
    public MongoDBServerResource Parent { get; } = parent;

    /// <summary>The name of the database.</summary>
    public string DatabaseName { get; } = databaseName;

    /// <summary><c>mongodb://[user:password@]host:port/database[?authSource=...]</c>.</summary>
    public ReferenceExpression ConnectionStringExpression => Parent.Build(DatabaseName);

    /// <summary>The same.</summary>
    public ReferenceExpression UriExpression => ConnectionStringExpression;

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties()
        => Parent.Properties().Where(p => p.Key != "Uri")
            .Append(new("DatabaseName", ReferenceExpression.Create($"{DatabaseName}")))
            .Append(new("Uri", UriExpression));
}
