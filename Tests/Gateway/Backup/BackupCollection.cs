using Xunit;

namespace Platform.Tests.Gateway.Backup;

/// <summary>Tests of backups. They share one server and its repository, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class BackupCollection : ICollectionFixture<BackupFixture>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Backup";
}
