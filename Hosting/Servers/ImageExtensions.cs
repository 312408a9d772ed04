namespace Platform.Hosting.Servers;

public static class ImageExtensions
{
    /// <summary>Takes the image that a setting names: one of a mirror, for example; null: the official one, of this digest.</summary>
    /// <param name="container">The container, which knows the official image.</param>
    /// <param name="reference">For example <c>mirror.example/mongo:8.0</c>.</param>
    /// <param name="digest">What is run by itself: a tag can be given to another image, a digest cannot.</param>
    public static IResourceBuilder<T> WithImageOr<T>(this IResourceBuilder<T> container, string? reference, string digest)
        where T : ContainerResource
        => reference is null ? container.WithImageSHA256(digest) : container.WithImage(reference).WithImageRegistry(null);
}
