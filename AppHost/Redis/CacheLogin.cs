namespace Platform.AppHost.Redis;

/// <summary>How services connect to a cache: as a user who may use the entries of the cache, and nothing else (<c>Native/redis-users.acl</c>).</summary>
/// <param name="ConnectionString">In the form that StackExchange.Redis reads.</param>
internal sealed record CacheLogin(ReferenceExpression ConnectionString) : IResourceAnnotation
{
    /// <summary>The name of that user.</summary>
    public const string User = "api";
}
