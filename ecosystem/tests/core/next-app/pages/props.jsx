export default function Props({ text }) {
  return <h1>{text}</h1>;
}

export async function getServerSideProps({ req }) {
  return { props: { text: await globalThis.world.props(req.signal) } };
}
