namespace Platform.AppHost.Redis;

/// <summary>How programs connect to a cache: each as a user who may do what it is for, and nothing else (<c>Native/redis-users.acl</c>).</summary>
/// <param name="ConnectionStrings">In the form that StackExchange.Redis reads, by the names of the users.</param>
/// <param name="Passwords">Their passwords.</param>
internal sealed record CacheLogin(
    IReadOnlyDictionary<string, ReferenceExpression> ConnectionStrings, IReadOnlyDictionary<string, ParameterResource> Passwords) : IResourceAnnotation
{
    /// <summary>The user who uses the entries of the cache.</summary>
    public const string Api = "api";

    /// <summary>The user who looks how the servers are, and reads no entry.</summary>
    public const string Monitor = "monitor";

    /// <summary>The users.</summary>
    public static IReadOnlyList<string> Users { get; } = [Api, Monitor];
}
