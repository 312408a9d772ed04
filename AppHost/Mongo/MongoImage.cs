namespace Platform.AppHost.Mongo;

/// <summary>The MongoDB container image; an upgrade changes this file alone.</summary>
internal static class MongoImage
{
    public const string Tag = "8.0";
}
