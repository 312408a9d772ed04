namespace Platform.Gateway.Commands;

/// <summary>What a command can be asked to promise beside doing what it does.</summary>
[Flags]
internal enum CommandPromises
{
    None = 0,

    /// <summary>A read concern above <c>local</c>.</summary>
    ReadConcern = 1,

    /// <summary>A write concern. What has one is a write, so it moves the cluster's time on.</summary>
    WriteConcern = 2,

    /// <summary>It is part of version 1 of the API.</summary>
    ApiVersion1 = 4,

    /// <summary>The backend itself ends it after <c>maxTimeMS</c>.</summary>
    TimedByBackend = 8,
}
