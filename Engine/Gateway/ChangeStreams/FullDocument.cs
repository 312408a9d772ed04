namespace Platform.Gateway.ChangeStreams;

/// <summary>Which documents events carry beside what the operation itself is made of.</summary>
internal enum FullDocument
{
    /// <summary>None.</summary>
    Off,

    /// <summary>The document as it is when the event is read.</summary>
    UpdateLookup,

    /// <summary>The document as it was right after or before the change, where there is such an image.</summary>
    WhenAvailable,

    /// <summary>The same; an event without one ends the stream.</summary>
    Required,
}
